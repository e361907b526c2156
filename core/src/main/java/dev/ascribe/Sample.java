package dev.ascribe;

/**
 * A row of a corpus.
 *
 * @param row zero-based position in its corpus
 * @param id its identity, by content
 * @param content what it says
 */
public record Sample(int row, SampleId id, Content content) {}
