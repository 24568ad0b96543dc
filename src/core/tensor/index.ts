export { placeLayout, type StridedLayout } from './layout.js';
export { contiguousStride, elementCount, extentOf, formatSizes, isContiguousLayout } from './shape.js';
export { gatherContiguous, scatterContiguous } from './strided-copy.js';
export { Storage, Tensor } from './tensor.js';
