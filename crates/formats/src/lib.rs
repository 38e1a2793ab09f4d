//! Bytes to batches: compression, inference and the CSV decoder
