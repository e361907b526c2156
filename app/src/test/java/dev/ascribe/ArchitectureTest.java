package dev.ascribe;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The arrows of {@code docs/ARCHITECTURE.md}. */
class ArchitectureTest {
    private static final String ROOT = "dev.ascribe";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    /** A package below {@code dev.ascribe}, and those that it may use beside the root. */
    record Arrows(String from, Set<String> to) {
        static Arrows of(String from, String... to) {
            return new Arrows(from, Set.of(to));
        }

        @Override
        public String toString() {
            return from + " uses " + new TreeSet<>(to);
        }
    }

    /** A new package is a new line here. Arrows point upwards only, so that there can be no cycle. */
    private static final List<Arrows> ARROWS = List.of(
            Arrows.of("corpus"),
            Arrows.of("similarity", "corpus"),
            Arrows.of("store"),
            Arrows.of("report"),
            Arrows.of("coalition"),
            Arrows.of("tree", "corpus", "coalition"),
            Arrows.of("ledger"),
            Arrows.of("ledger.export", "ledger"),
            Arrows.of("ledger.witness", "ledger"),
            Arrows.of("evaluate", "coalition"),
            Arrows.of("torch"),
            Arrows.of("torch.weights"),
            Arrows.of("torch.text"),
            Arrows.of("torch.model", "torch", "torch.weights", "torch.text"),
            Arrows.of("torch.train", "torch", "torch.weights", "torch.text", "torch.model"),
            Arrows.of("torch.gradient", "store", "torch", "torch.weights", "torch.text", "torch.model", "torch.train"),
            Arrows.of(
                    "torch.trace",
                    "similarity",
                    "evaluate",
                    "torch",
                    "torch.text",
                    "torch.model",
                    "torch.train",
                    "torch.gradient"),
            Arrows.of("demo", "corpus"),
            Arrows.of("retrain", "corpus", "tree", "evaluate"),
            Arrows.of(
                    "cli",
                    "ledger",
                    "ledger.export",
                    "ledger.witness",
                    "corpus",
                    "tree",
                    "similarity",
                    "store",
                    "report",
                    "coalition",
                    "evaluate",
                    "torch",
                    "torch.weights",
                    "torch.text",
                    "torch.model",
                    "torch.train",
                    "torch.gradient",
                    "torch.trace",
                    "demo",
                    "retrain"));

    /** A library and the packages that adapt it; nobody else may know it. */
    private static final Map<String, List<String>> ADAPTERS = Map.of(
            "org.bytedeco..", List.of("torch", "torch.model", "torch.train", "torch.gradient", "cli"),
            "ai.djl..", List.of("similarity", "torch.text"),
            "dev.langchain4j..", List.of("similarity"),
            "ai.onnxruntime..", List.of("similarity"),
            "org.apache.lucene..", List.of("similarity"),
            "com.hubspot..", List.of("torch.text"),
            "gg.jte..", List.of("report"),
            "picocli..", List.of("cli"),
            "ml.dmlc..", List.of("retrain"),
            "io.github.metarank..", List.of("retrain"));

    @ParameterizedTest
    @FieldSource("ARROWS")
    void aPackageUsesOnlyWhatItsArrowsSay(Arrows arrows) {
        String[] allowed = Stream.concat(
                        Stream.of(ROOT, named(arrows.from())),
                        arrows.to().stream().map(ArchitectureTest::named))
                .toArray(String[]::new);
        classes()
                .that()
                .resideInAPackage(named(arrows.from()))
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage(ROOT + "..").or(in(allowed)))
                .allowEmptyShould(true) // a room that is planned and not yet built
                .check(CLASSES);
    }

    @Test
    void theRootUsesNoOtherPackage() {
        classes()
                .that()
                .resideInAPackage(ROOT)
                .should()
                .onlyDependOnClassesThat(resideOutsideOfPackage(ROOT + "..").or(in(ROOT)))
                .check(CLASSES);
    }

    @Test
    void everyPackageHasItsArrows() {
        Set<String> described = new HashSet<>(Set.of(ROOT));
        ARROWS.forEach(arrows -> described.add(named(arrows.from())));
        assertThat(packages().map(JavaPackage::getName))
                .isSubsetOf(described)
                .contains(ROOT, named("corpus"), named("torch.gradient"), named("cli"));
    }

    @Test
    void arrowsPointUpwardsSoThatThereIsNoCycle() {
        Set<String> above = new HashSet<>();
        for (Arrows arrows : ARROWS) {
            assertThat(above).as("what %s may use", arrows.from()).containsAll(arrows.to());
            above.add(arrows.from());
        }
    }

    @Test
    void aLibraryIsKnownToItsAdaptersOnly() {
        ADAPTERS.forEach((library, adapters) -> noClasses()
                .that(resideOutsideOfPackages(
                        adapters.stream().map(ArchitectureTest::named).toArray(String[]::new)))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(CLASSES));
    }

    @Test
    void onlyTheCommandLineWritesToStandardOutput() {
        noClasses()
                .that(resideOutsideOfPackage(named("cli")))
                .should(ACCESS_STANDARD_STREAMS)
                .check(CLASSES);
    }

    @Test
    void onlyTheWitnessTouchesTheNetwork() {
        noClasses()
                .that(resideOutsideOfPackage(named("ledger.witness")))
                .should()
                .dependOnClassesThat(resideInAPackage("java.net.http..")
                        .or(resideInAPackage("com.sun.net.httpserver.."))
                        .or(resideInAPackage("javax.net.."))
                        .or(JavaClass.Predicates.belongToAnyOf(
                                java.net.Socket.class,
                                java.net.ServerSocket.class,
                                java.net.DatagramSocket.class,
                                java.net.InetAddress.class,
                                java.net.InetSocketAddress.class,
                                java.net.URLConnection.class,
                                java.nio.channels.SocketChannel.class,
                                java.nio.channels.ServerSocketChannel.class,
                                java.nio.channels.DatagramChannel.class,
                                java.nio.channels.AsynchronousSocketChannel.class)))
                .orShould()
                .callMethod(java.net.URL.class, "openStream")
                .check(CLASSES);
    }

    @Test
    void theLedgerNeedsNothingBeyondTheJdk() {
        classes()
                .that()
                .resideInAnyPackage(named("ledger"), named("ledger.witness"))
                .should()
                .onlyDependOnClassesThat(JavaClass.Predicates.resideInAnyPackage(
                        "java..", "javax.crypto..", "com.sun.net.httpserver..", "org.jspecify..", ROOT + ".."))
                .check(CLASSES);
    }

    @Test
    void nothingLogsExceptToQuietenALibrary() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName("dev.ascribe.similarity.Bm25")
                .should(USE_JAVA_UTIL_LOGGING)
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("org.slf4j..")
                .check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        assertThat(packages())
                .isNotEmpty()
                .allMatch(
                        one -> one.tryGetPackageInfo()
                                .map(info -> info.isAnnotatedWith(NullMarked.class))
                                .orElse(false),
                        "has a package-info.java with @NullMarked");
    }

    /** As far as calls that can be followed in the class files say. */
    @Test
    void noClassInitialiserTouchesFiles() {
        Pattern files = Pattern.compile("java\\.io\\.(File|RandomAccessFile|Console).*"
                + "|java\\.nio\\.file\\.(Files|FileSystems?)"
                + "|java\\.nio\\.channels\\..*"
                + "|java\\.lang\\.(ProcessBuilder|Runtime)"
                + "|org\\.bytedeco\\.javacpp\\.Loader");
        List<String> found = new ArrayList<>();
        for (JavaClass one : CLASSES) {
            one.getStaticInitializer().ifPresent(initialiser -> {
                for (JavaCodeUnitAccess<?> access : reached(initialiser)) {
                    if (files.matcher(access.getTargetOwner().getName()).matches()) {
                        found.add(one.getName() + ": " + access.getDescription());
                    }
                }
            });
        }
        assertThat(found).isEmpty();
    }

    /** All calls and constructions that a method may lead to, followed through our own classes. */
    private static List<JavaCodeUnitAccess<?>> reached(JavaCodeUnit start) {
        List<JavaCodeUnitAccess<?>> all = new ArrayList<>();
        Set<JavaCodeUnit> seen = new HashSet<>(Set.of(start));
        Deque<JavaCodeUnit> open = new ArrayDeque<>(seen);
        while (!open.isEmpty()) {
            for (JavaCodeUnitAccess<?> access : open.pop().getCallsFromSelf()) {
                all.add(access);
                access.getTarget()
                        .resolveMember()
                        .filter(target -> target.getOwner().getPackageName().startsWith(ROOT))
                        .filter(seen::add)
                        .ifPresent(open::push);
            }
        }
        return all;
    }

    private static Stream<JavaPackage> packages() {
        return CLASSES.stream().map(JavaClass::getPackage).distinct();
    }

    private static String named(String below) {
        return ROOT + "." + below;
    }

    private static com.tngtech.archunit.base.DescribedPredicate<JavaClass> in(String... packages) {
        return JavaClass.Predicates.resideInAnyPackage(packages);
    }
}
