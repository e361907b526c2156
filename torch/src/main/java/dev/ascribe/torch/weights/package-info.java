/**
 * Files of model weights, memory-mapped: safetensors (one file or sharded) and GGUF.
 *
 * <p>Start at {@link dev.ascribe.torch.weights.WeightFile#open}. Nothing a file claims is believed before it is checked
 * against the file's size; a damaged file gives a {@link dev.ascribe.CorruptDataException}, never a crash.
 */
@NullMarked
package dev.ascribe.torch.weights;

import org.jspecify.annotations.NullMarked;
