package dev.ascribe.torch.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ascribe.CorruptDataException;
import dev.ascribe.UserInputException;
import dev.ascribe.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON of run directories: strict, an unknown key and a missing one are errors. */
final class RunJson {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES);

    private RunJson() {}

    /** {@code run.json} as it lies on the disk. */
    record Document(
            String schema,
            String kind,
            Model model,
            @Nullable Lora lora,
            Text text,
            Optimizer optimizer,
            Rows rows,
            List<Checkpoint> checkpoints,
            String data,
            String dataPath,
            long seed,
            Map<String, String> versions,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Recording recording) {
        Document {
            if (!kind.equals("finetune") && !kind.equals("train")) {
                throw new IllegalArgumentException("kind '" + kind + "' is neither finetune nor train");
            }
            require(model, "model");
            require(text, "text");
            require(optimizer, "optimizer");
            require(rows, "rows");
            require(data, "data");
            require(dataPath, "dataPath");
            require(versions, "versions");
            if (checkpoints == null || checkpoints.isEmpty()) {
                throw new IllegalArgumentException("'checkpoints' is missing or empty");
            }
        }
    }

    private static void require(@Nullable Object value, String key) {
        if (value == null) {
            throw new IllegalArgumentException("'" + key + "' is missing");
        }
    }

    record Model(String architecture, String path, String digest) {
        Model {
            require(architecture, "model.architecture");
            require(path, "model.path");
            require(digest, "model.digest");
        }
    }

    record Lora(int rank, double alpha, boolean rsLora, String targets) {
        Lora {
            require(targets, "lora.targets");
        }
    }

    record Text(String template, String loss, int maxTokens, boolean skipBad) {
        Text {
            require(template, "text.template");
            require(loss, "text.loss");
        }
    }

    record Optimizer(
            String name,
            double learningRate,
            String schedule,
            double warmUp,
            double weightDecay,
            double clip,
            int batch,
            int epochs,
            int checkpoints,
            double validation) {
        Optimizer {
            require(schedule, "optimizer.schedule");
        }
    }

    record Rows(List<Integer> train, List<Integer> validation) {
        Rows {
            require(train, "rows.train");
            require(validation, "rows.validation");
        }
    }

    static String write(List<Checkpoint> checkpoints) {
        try {
            return JSON.writeValueAsString(checkpoints);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<Checkpoint> checkpoints(String json) {
        try {
            return JSON.readValue(json, new TypeReference<List<Checkpoint>>() {});
        } catch (JsonProcessingException e) {
            throw new CorruptDataException("the saved training state is damaged: " + e.getOriginalMessage(), e);
        }
    }

    static void write(Path file, Document document) {
        try {
            WholeFile.write(file, JSON.writeValueAsBytes(document));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static Document read(Path file) {
        if (!Files.exists(file)) {
            throw new UserInputException(
                    "%s does not exist: give a directory that finetune or train made, and let it finish"
                            .formatted(file));
        }
        try {
            JsonNode tree = JSON.readTree(Files.readAllBytes(file));
            String schema = tree.path("schema").asText();
            if (!schema.equals(Run.SCHEMA)) {
                throw new UserInputException(
                        "%s has the schema '%s', but this version reads %s".formatted(file, schema, Run.SCHEMA));
            }
            if (tree instanceof ObjectNode object && !object.has("recording")) {
                object.putNull("recording"); // left out where no ledger has the run
            }
            return JSON.treeToValue(tree, Document.class);
        } catch (JacksonException e) {
            throw new CorruptDataException("%s is damaged: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UserInputException("%s cannot be read: %s".formatted(file, e), e);
        }
    }
}
