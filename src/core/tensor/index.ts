export { type Placement, placeLayout, type StridedLayout } from './layout.js';
export { contiguousStride, elementCount, extentOf, isContiguousLayout } from './shape.js';
export { gatherContiguous, scatterContiguous } from './strided-copy.js';
export { Storage, Tensor, type TensorInit } from './tensor.js';
