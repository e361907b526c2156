package dev.ascribe.similarity;

import dev.ascribe.Corpus;
import dev.ascribe.Sample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.LogDocMergePolicy;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;

/**
 * Okapi BM25 (Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"), by Lucene.
 *
 * <p>score(q, d) = Σ over the words t of q, each as often as it stands there, of
 *
 * <pre>{@code
 * idf(t) · tf(t, d) / (tf(t, d) + k1 · (1 − b + b · |d| / mean |d|)),   idf(t) = ln(1 + (N − n(t) + ½) / (n(t) + ½))
 * }</pre>
 *
 * <p>with k1 = 1.2 and b = 0.75. A row's text is its question and answer. Words are those of Unicode's segmentation rules (UAX 29) in
 * lower case; none is a stop word and none is stemmed. Lucene stores the length |d| in a byte: exact up to 40 words, then rounded
 * down by at most 1/8. Rows that share no word with the query score 0.
 *
 * <p>The index is in memory, about three bytes for each word of each row.
 */
public final class Bm25 implements Similarity {
    /** The method's name. */
    public static final String NAME = "bm25";

    private static final float K1 = 1.2f;
    private static final float B = 0.75f;
    private static final String WORDS = "words";

    /** Held, because the log manager forgets the level of a logger that nobody holds. */
    private static final Logger LUCENE = Logger.getLogger("org.apache.lucene");

    private final Analyzer analyzer = new StandardAnalyzer();
    private final Directory directory = new ByteBuffersDirectory();
    private final DirectoryReader reader;
    private final IndexSearcher searcher;

    private Bm25(Corpus corpus) throws IOException {
        IndexWriterConfig config = new IndexWriterConfig(analyzer)
                .setSimilarity(new BM25Similarity(K1, B))
                .setMergePolicy(
                        new LogDocMergePolicy()); // merges neighbours only, so that a document's number stays its row
        try (IndexWriter writer = new IndexWriter(directory, config)) {
            Field words = new Field(WORDS, "", countedWords());
            for (Sample sample : corpus.samples()) {
                words.setStringValue(sample.content().words());
                writer.addDocument(List.of(words));
            }
        }
        reader = DirectoryReader.open(directory);
        searcher = new IndexSearcher(reader);
        searcher.setSimilarity(new BM25Similarity(K1, B));
        searcher.setQueryCache(null);
    }

    /** An index of all rows of a corpus, which may be closed afterwards. */
    public static Bm25 over(Corpus corpus) {
        if (LUCENE.getLevel()
                == null) { // what it says at INFO and WARNING is about the speed of vectors, which are not used here
            LUCENE.setLevel(Level.SEVERE);
        }
        try {
            return new Bm25(corpus);
        } catch (IOException e) {
            throw new UncheckedIOException("an index in memory cannot fail to be written", e);
        }
    }

    private static FieldType countedWords() {
        FieldType type = new FieldType();
        type.setTokenized(true);
        type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
        type.freeze();
        return type;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public double[] scores(String query) {
        double[] scores = new double[reader.maxDoc()];
        try {
            // A search per word, not one of all words: a query may be longer than Lucene lets a Boolean query be.
            for (Map.Entry<String, Integer> word : words(query).entrySet()) {
                addScores(new TermQuery(new Term(WORDS, word.getKey())), word.getValue(), scores);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an index in memory cannot fail to be read", e);
        }
        return scores;
    }

    private void addScores(TermQuery word, int times, double[] scores) throws IOException {
        Weight weight = searcher.createWeight(word, ScoreMode.COMPLETE, 1);
        for (LeafReaderContext segment : reader.leaves()) {
            Scorer scorer = weight.scorer(segment);
            if (scorer == null) {
                continue;
            }
            DocIdSetIterator rows = scorer.iterator();
            for (int row = rows.nextDoc(); row != DocIdSetIterator.NO_MORE_DOCS; row = rows.nextDoc()) {
                scores[segment.docBase + row] += times * (double) scorer.score();
            }
        }
    }

    /** The words of a text and how often each stands there. */
    private Map<String, Integer> words(String text) throws IOException {
        Map<String, Integer> words = new HashMap<>();
        try (TokenStream tokens = analyzer.tokenStream(WORDS, text)) {
            CharTermAttribute word = tokens.addAttribute(CharTermAttribute.class);
            tokens.reset();
            while (tokens.incrementToken()) {
                words.merge(word.toString(), 1, Integer::sum);
            }
            tokens.end();
        }
        return words;
    }

    @Override
    public void close() {
        try (directory;
                reader;
                analyzer) {
            // Closes all three.
        } catch (IOException e) {
            throw new UncheckedIOException("an index in memory cannot fail to be closed", e);
        }
    }
}
