package dev.ascribe;

/** What a command found out, as one document that people can be sent: it becomes JSON, text, or a page. */
public sealed interface Result permits Attribution, Proof {
    /** The name and version of its JSON document, {@code ascribe/<kind>/1}. */
    String schema();

    /** What it was made from. */
    Provenance provenance();
}
