/**
 * Boosted trees and forests of other libraries: their files, their tables, and which training rows taught them a prediction.
 *
 * <p>Letters in shapes: n training rows, F features, K outputs (classes; 1 for regression and binary), T trees.
 */
@NullMarked
package dev.ascribe.tree;

import org.jspecify.annotations.NullMarked;
