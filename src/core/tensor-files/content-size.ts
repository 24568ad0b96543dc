/**
 * From this size on the values of a tensor are worth a file of their own under `blobs/`: below it, making the file and a
 * link to it takes more than ten times as long as writing the values beside the others of the call.
 */
export const MIN_CONTENT_BYTES = 16 * 1024;
