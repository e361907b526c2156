package dev.ascribe.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecimalsTest {

    @ParameterizedTest
    @CsvSource({
        "0.8421, 0.8421, +0.842",
        "0.8421, -0.0004, 0.000",
        "0.8421, -0.0006, −0.001",
        "24.19, 1.5, +1.5",
        "1234, 3.4, +3",
        "0.00123, 0.0001, +0.00010",
        "1e-9, -1e-9, −1.00e-09",
        "2.5e9, 2.5e9, +2.50e+09",
        "0, 0, 0.0"
    })
    void numbersOfAListShareTheirDecimals(double largest, double value, String written) {
        assertThat(Decimals.of(List.of(largest)).signed(value)).isEqualTo(written);
    }
}
