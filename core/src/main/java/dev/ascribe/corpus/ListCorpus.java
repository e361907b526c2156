package dev.ascribe.corpus;

import dev.ascribe.Content;
import dev.ascribe.Corpus;
import dev.ascribe.Sample;
import dev.ascribe.SampleId;
import java.util.List;

/** A corpus in memory. */
final class ListCorpus implements Corpus {
    private final String name;
    private final List<Content> contents;
    private final SampleIds ids;
    private final String digest;

    ListCorpus(String name, List<? extends Content> contents) {
        this.name = name;
        this.contents = List.copyOf(contents);
        this.ids = new SampleIds(contents.size());
        for (int row = 0; row < ids.size(); row++) {
            ids.set(row, CanonicalJson.id(this.contents.get(row)));
        }
        this.digest = ids.digest();
    }

    @Override
    public int size() {
        return contents.size();
    }

    @Override
    public Sample sample(int row) {
        return new Sample(row, ids.get(row), contents.get(row));
    }

    @Override
    public SampleId id(int row) {
        return ids.get(row);
    }

    @Override
    public String digest() {
        return digest;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void close() {}
}
