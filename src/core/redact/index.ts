export { layoutStatistics, stringStatistics } from './layout-statistics.js';
export { ruleFor } from './record-rules.js';
export { redactError } from './redact-error.js';
export { redactHeader, redactResolution } from './redact-header.js';
export { ValueRedaction } from './redact-value.js';
export { RedactingRewriter } from './redacting-rewriter.js';
export { makeRedactionKey, Redactor } from './redactor.js';
export { scrubReason, scrubSignature } from './text-scrubs.js';
