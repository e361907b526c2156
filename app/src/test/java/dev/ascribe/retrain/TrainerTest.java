package dev.ascribe.retrain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.EngineUnavailableException;
import org.junit.jupiter.api.Test;

class TrainerTest {
    @Test
    void aLibraryThatCannotBeLoadedIsTheMachinesFaultAndNamed() {
        EngineUnavailableException told = Trainer.unavailable(
                "xgboost4j 2.1.4",
                new ExceptionInInitializerError(
                        new RuntimeException(new UnsatisfiedLinkError("libgomp.so.1: cannot open"))));
        assertThat(told.exitCode()).isEqualTo(3);
        assertThat(told)
                .hasMessageMatching(
                        "the native library of xgboost4j 2\\.1\\.4 cannot be loaded on .*libgomp\\.so\\.1: cannot open\\. trace needs none; .*");
    }
}
