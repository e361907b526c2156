package dev.ascribe.store;

/**
 * A row that a scan found.
 *
 * @param row zero-based
 * @param score inner product with the query
 */
public record Hit(int row, float score) {}
