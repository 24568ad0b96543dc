const RATE = 16000;
const SYLLABLES_PER_SECOND = 4;
/** First three formants of the vowels in "ah, ee, aw, eh", in Hz. */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [570, 840, 2410],
  [530, 1840, 2480],
];

/**
 * Two seconds of sound at 16 kHz: silence, a second of sung vowels, silence. Made by arithmetic alone, so that every
 * run hears the same clip.
 *
 * @returns {Float32Array} samples in [-1, 1], 64 frames of 512
 */
export function makeClip() {
  const samples = new Float32Array(64 * 512);
  let phase = 0;
  for (let i = 0; i < samples.length; i += 1) {
    const seconds = i / RATE - 0.4;
    if (seconds < 0 || seconds > 1.2) continue;
    const syllable = seconds * SYLLABLES_PER_SECOND;
    const formants = VOWELS[Math.floor(syllable) % VOWELS.length];
    const pitch = 130 - 25 * seconds + 8 * Math.sin(2 * Math.PI * 5 * seconds);
    phase += pitch / RATE;
    const loudness = Math.sin(Math.PI * Math.min(1, (syllable % 1) * 1.1)) ** 0.7;
    samples[i] = 0.1 * loudness * voice(phase, pitch, formants);
  }
  return samples;
}

/** A harmonic series shaped by the resonances of a vowel. */
function voice(phase, pitch, formants) {
  let value = 0;
  for (let harmonic = 1; harmonic * pitch < 4000; harmonic += 1) {
    const frequency = harmonic * pitch;
    const gain = formants.reduce(
      (sum, formant, index) => sum + 1 / (index + 1) / (1 + ((frequency - formant) / 80) ** 2),
      0.005,
    );
    value += (gain * Math.sin(2 * Math.PI * harmonic * phase)) / Math.sqrt(harmonic);
  }
  return value;
}
