import fc from 'fast-check';

/** The same random cases in every run; FIR_TEST_SEED gives others. */
fc.configureGlobal({ seed: Number(process.env['FIR_TEST_SEED'] ?? 20260101) });
