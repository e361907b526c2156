package dev.ascribe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/** What a row says, by the keys that it was recognised by. Nothing is trimmed. */
public sealed interface Content {

    /** An Alpaca row; {@code input} is empty where the row has none. */
    record Instruction(
            String instruction,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) String input,
            String output) implements Content {
        @Override
        public String question() {
            return input.isEmpty() ? instruction : instruction + "\n\n" + input;
        }

        @Override
        public String answer() {
            return output;
        }
    }

    /** A bare prompt and how it goes on. */
    record Completion(String prompt, String completion) implements Content {
        @Override
        public String question() {
            return prompt;
        }

        @Override
        public String answer() {
            return completion;
        }
    }

    /** A conversation; the last message is the assistant's and is the response. */
    record Chat(@JsonProperty("messages") List<Message> messages) implements Content {
        public Chat {
            messages = List.copyOf(messages);
        }

        @Override
        public String question() {
            StringBuilder text = new StringBuilder();
            for (Message message : messages.subList(0, messages.size() - 1)) {
                text.append(text.isEmpty() ? "" : "\n").append(message.content());
            }
            return text.toString();
        }

        @Override
        public String answer() {
            return messages.getLast().content();
        }
    }

    /** One turn of a conversation: role is {@code system}, {@code user} or {@code assistant}. */
    record Message(String role, String content) {}

    /** A document: no prompt, all of it is learned. */
    record Text(String text) implements Content {
        @Override
        public String question() {
            return "";
        }

        @Override
        public String answer() {
            return text;
        }
    }

    /** What was asked, as plain words (for people and for search); empty for a document. */
    String question();

    /** What is answered, as plain words. */
    String answer();

    /** Question and answer as one text, for search and display. */
    default String words() {
        return question().isEmpty() ? answer() : question() + "\n" + answer();
    }
}
