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
    const name = recorded === 'cuda' ? 'cuda:0' : recorded;
    let place = this.#mapped.get(name);
    if (place === undefined) {
      const taken = new Set(this.#mapped.values());
      place = [this.#device, ...this.#devices].find((device) => !taken.has(device)) ?? this.#device;
      this.#mapped.set(name, place);
    }
    return place;
  }

  /** `cuda:7 -> cuda:0`, where a recorded device is another one here. */
  noteOn(recorded: string): string | undefined {
    if (!recorded.startsWith('cuda')) return undefined;
    const place = this.placeOf(recorded);
    return place === recorded ? undefined : `device: ${recorded} -> ${place}`;
  }
}
