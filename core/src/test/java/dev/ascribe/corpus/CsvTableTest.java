package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ascribe.Digests;
import dev.ascribe.SampleId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvTableTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private CsvTable table(String csv) throws IOException {
        return CsvTable.open(Files.writeString(home.resolve("rows.csv"), csv));
    }

    @Test
    void fieldsAreReadByRowHoweverTheyAreQuoted() throws IOException {
        try (CsvTable table = table("\uFEFFage,job\r\n39,\"clerk, \"\"senior\"\"\"\r\n\"40\",\r\n\r\n")) {
            assertThat(table.columns()).containsExactly("age", "job");
            assertThat(table.size()).isEqualTo(2);
            assertThat(table.row(0)).containsExactly("39", "clerk, \"senior\"");
            assertThat(table.row(1)).containsExactly("40", "");
            assertThat(table.text(1)).isEqualTo("age=40, job=");
        }
    }

    @Test
    void aRowIsNamedByTheJsonOfItsFields() throws IOException {
        try (CsvTable table = table("age,job\n39,\"say \"\"ah\"\"\"\n")) {
            SampleId expected =
                    SampleId.of("{\"age\":\"39\",\"job\":\"say \\\"ah\\\"\"}".getBytes(StandardCharsets.UTF_8));
            assertThat(table.id(0)).isEqualTo(expected);
            MerkleTree tree = new MerkleTree();
            tree.add(expected.bytes());
            assertThat(table.digest()).isEqualTo(Digests.name(tree.root()));
        }
    }

    @Test
    void whatIsNoTableIsRefused() {
        String file = home.resolve("rows.csv").toString();
        assertThatThrownBy(() -> table("a,a\n1,2\n"))
                .hasMessage(file + ", line 1, column 1: column \"a\" stands twice; remove one");
        assertThatThrownBy(() -> table("a,b\n1,\"2\n"))
                .hasMessage(file + ", line 2, column 3: a quote that is never closed; close it with \"");
        assertThatThrownBy(() -> table(""))
                .hasMessage(file + " holds no rows; its first line names the columns, each other line is a row");
    }
}
