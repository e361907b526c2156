/**
 * The feature store on disk, one row of (projected) gradient features a sample, and the exact scan over it.
 *
 * <p>{@link dev.ascribe.store.FeatureStoreWriter} describes the files; {@link dev.ascribe.store.Scan} reads them at the speed
 * of memory.
 */
@NullMarked
package dev.ascribe.store;

import org.jspecify.annotations.NullMarked;
