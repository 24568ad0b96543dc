/** As torch writes one: `cuda:3`, or `cuda` for whichever is current. */
const CUDA = /^cuda(?::\d{1,9})?$/;

/** On which device of this machine a recorded tensor goes. */
export class DeviceMap {
  readonly #device: string;
  readonly #devices: readonly string[];
  readonly #mapped = new Map<string, string>();

  /** `device`: where tensors go, `cpu` or `cuda:N`; `devices`: every CUDA device that there is. */
  constructor(device: string, devices: readonly string[]) {
    this.#device = device;
    this.#devices = devices;
  }

  /**
   * `cpu` stays; each recorded CUDA device has one of its own here as long as there are some, the first one the device
   * that was asked for; what was not recorded goes there too.
   */
  placeOf(recorded: string): string {
    if (recorded === 'cpu') return 'cpu';
    if (!recorded.startsWith('cuda') || this.#device === 'cpu') return this.#device;
    // The current device is the worker's own, and was mostly the recorded program's first one.
    if (recorded === 'cuda') return this.#mapped.get('cuda:0') ?? this.#device;
    let place = this.#mapped.get(recorded);
    if (place === undefined) {
      const taken = new Set(this.#mapped.values());
      place = [this.#device, ...this.#devices].find((device) => !taken.has(device)) ?? this.#device;
      this.#mapped.set(recorded, place);
    }
    return place;
  }

  /**
   * What a `torch.device` among the arguments becomes: a CUDA device goes where tensors of it go, any other one is no
   * place of memory that was recorded, and stays.
   */
  argumentFor(recorded: string): string {
    if (!CUDA.test(recorded)) return recorded;
    const place = this.placeOf(recorded);
    return recorded === 'cuda' && place === this.#device && place !== 'cpu' ? recorded : place;
  }

  /** `cuda:7 -> cuda:0`, where a recorded device is another one here. */
  noteOn(recorded: string): string | undefined {
    const place = this.argumentFor(recorded);
    return place === recorded ? undefined : `device: ${recorded} -> ${place}`;
  }
}
