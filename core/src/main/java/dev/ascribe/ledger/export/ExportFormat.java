package dev.ascribe.ledger.export;

import java.util.Locale;

/** The formats there are. */
public enum ExportFormat {
    /** OpenLineage 2-0-2, run events as JSON lines. */
    OPENLINEAGE,
    /** W3C PROV-JSON. */
    PROV,
    /** in-toto Statement v1 in a DSSE envelope. */
    INTOTO,
    /** CycloneDX 1.6, a bill of materials of models. */
    CYCLONEDX,
    /** Croissant 1.1. */
    CROISSANT;

    /** As people write it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What writes it. */
    public LogExport export() {
        return switch (this) {
            case OPENLINEAGE -> new OpenLineage();
            case PROV -> new Prov();
            case INTOTO -> new InToto();
            case CYCLONEDX -> new CycloneDx();
            case CROISSANT -> new Croissant();
        };
    }
}
