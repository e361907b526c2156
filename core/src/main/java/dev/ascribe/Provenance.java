package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a result was made from, so that it can be made again.
 *
 * @param model digest of the base model's weights and configuration
 * @param adapter digest of the adapter
 * @param data digest of the corpus (its Merkle root)
 * @param index digest of the index
 * @param settings all options, defaults included
 * @param versions of Ascribe, the JDK and the native engine
 * @param startedAt ISO 8601, UTC
 * @param seconds wall time
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Provenance(
        @Nullable String model,
        @Nullable String adapter,
        @Nullable String data,
        @Nullable String index,
        Map<String, Object> settings,
        long seed,
        Map<String, String> versions,
        String startedAt,
        double seconds) {}
