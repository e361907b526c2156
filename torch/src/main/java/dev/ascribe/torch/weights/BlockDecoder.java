package dev.ascribe.torch.weights;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Turns stored blocks into floats.
 *
 * <p>The order of the float operations is that of ggml's reference code, so results equal its bit for bit. In the
 * layouts below, {@code d}, {@code m} and {@code dmin} are 16-bit floats, {@code q} are unsigned unless said otherwise.
 */
@FunctionalInterface
interface BlockDecoder {
    /** Elements of a K-quant's block. */
    int K = 256;

    VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    /** Decodes the first blocks of {@code in} to the front of {@code out}. */
    void decode(byte[] in, int blocks, float[] out);

    /** The decoder of a type, if it has one. */
    static Optional<BlockDecoder> of(TensorType type) {
        return switch (type) {
            case F64 -> Optional.of(BlockDecoder::f64);
            case F32 -> Optional.of(BlockDecoder::f32);
            case F16 -> Optional.of(BlockDecoder::f16);
            case BF16 -> Optional.of(BlockDecoder::bf16);
            case Q4_0 -> Optional.of(BlockDecoder::q4_0);
            case Q4_1 -> Optional.of(BlockDecoder::q4_1);
            case Q5_0 -> Optional.of(BlockDecoder::q5_0);
            case Q5_1 -> Optional.of(BlockDecoder::q5_1);
            case Q8_0 -> Optional.of(BlockDecoder::q8_0);
            case Q2_K -> Optional.of(BlockDecoder::q2_k);
            case Q3_K -> Optional.of(BlockDecoder::q3_k);
            case Q4_K -> Optional.of(BlockDecoder::q4_k);
            case Q5_K -> Optional.of(BlockDecoder::q5_k);
            case Q6_K -> Optional.of(BlockDecoder::q6_k);
            case F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> Optional.empty();
        };
    }

    private static float half(byte[] in, int at) {
        return Float.float16ToFloat((short) SHORT.get(in, at));
    }

    private static void f64(byte[] in, int count, float[] out) {
        ByteBuffer doubles = ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            out[i] = (float) doubles.getDouble(Double.BYTES * i);
        }
    }

    private static void f32(byte[] in, int count, float[] out) {
        ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(out, 0, count);
    }

    private static void f16(byte[] in, int count, float[] out) {
        for (int i = 0; i < count; i++) {
            out[i] = half(in, Short.BYTES * i);
        }
    }

    private static void bf16(byte[] in, int count, float[] out) {
        for (int i = 0; i < count; i++) {
            out[i] = Float.intBitsToFloat((short) SHORT.get(in, Short.BYTES * i) << 16);
        }
    }

    /** {@code d, q[16]}: low nibbles, then high nibbles; x = d (q - 8). */
    private static void q4_0(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0, o = 0; b < blocks; b++, at += 18, o += 32) {
            float d = half(in, at);
            for (int j = 0; j < 16; j++) {
                int q = in[at + 2 + j];
                out[o + j] = d * ((q & 15) - 8);
                out[o + 16 + j] = d * ((q >> 4 & 15) - 8);
            }
        }
    }

    /** {@code d, m, q[16]}: low nibbles, then high nibbles; x = d q + m. */
    private static void q4_1(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0, o = 0; b < blocks; b++, at += 20, o += 32) {
            float d = half(in, at);
            float m = half(in, at + 2);
            for (int j = 0; j < 16; j++) {
                int q = in[at + 4 + j];
                out[o + j] = d * (q & 15) + m;
                out[o + 16 + j] = d * (q >> 4 & 15) + m;
            }
        }
    }

    /** {@code d, high[4], q[16]}: as Q4_0 with bit j of {@code high} as the fifth bit; x = d (q - 16). */
    private static void q5_0(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0, o = 0; b < blocks; b++, at += 22, o += 32) {
            float d = half(in, at);
            int high = (int) INT.get(in, at + 2);
            for (int j = 0; j < 16; j++) {
                int q = in[at + 6 + j];
                out[o + j] = d * (((q & 15) | ((high >>> j & 1) << 4)) - 16);
                out[o + 16 + j] = d * (((q >> 4 & 15) | ((high >>> (16 + j) & 1) << 4)) - 16);
            }
        }
    }

    /** {@code d, m, high[4], q[16]}: as Q4_1 with bit j of {@code high} as the fifth bit; x = d q + m. */
    private static void q5_1(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0, o = 0; b < blocks; b++, at += 24, o += 32) {
            float d = half(in, at);
            float m = half(in, at + 2);
            int high = (int) INT.get(in, at + 4);
            for (int j = 0; j < 16; j++) {
                int q = in[at + 8 + j];
                out[o + j] = d * ((q & 15) | ((high >>> j & 1) << 4)) + m;
                out[o + 16 + j] = d * ((q >> 4 & 15) | ((high >>> (16 + j) & 1) << 4)) + m;
            }
        }
    }

    /** {@code d, q[32]} signed; x = d q. */
    private static void q8_0(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0, o = 0; b < blocks; b++, at += 34, o += 32) {
            float d = half(in, at);
            for (int j = 0; j < 32; j++) {
                out[o + j] = d * in[at + 2 + j];
            }
        }
    }

    /**
     * {@code scales[16], q[64], d, dmin}: 16 groups of 16, a byte of {@code scales} is 4 bits of scale, 4 of minimum; the
     * byte l of each 32 of {@code q} holds elements l, 32 + l, 64 + l, 96 + l; x = d scale q - dmin minimum.
     */
    private static void q2_k(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0; b < blocks; b++, at += 84) {
            float d = half(in, at + 80);
            float dmin = half(in, at + 82);
            for (int group = 0; group < 16; group++) {
                float scale = d * (in[at + group] & 15);
                float minimum = dmin * (in[at + group] >> 4 & 15);
                int q = at + 16 + 32 * (group / 8) + 16 * (group % 2);
                int shift = 2 * (group / 2 % 4);
                int o = K * b + 16 * group;
                for (int j = 0; j < 16; j++) {
                    out[o + j] = scale * (in[q + j] >> shift & 3) - minimum;
                }
            }
        }
    }

    /**
     * {@code high[32], q[64], scales[12], d}: groups and q as in Q2_K; bit i of byte l of {@code high} says that 4 is not
     * subtracted from element 32 i + l; scales are 6 bits, low nibbles in 8 bytes, high pairs in 4; x = d (scale - 32) q.
     */
    private static void q3_k(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0; b < blocks; b++, at += 110) {
            float d = half(in, at + 108);
            for (int group = 0; group < 16; group++) {
                int low = in[at + 96 + group % 8] >> (4 * (group / 8)) & 15;
                int high = in[at + 104 + group % 4] >> (2 * (group / 4)) & 3;
                float scale = d * ((low | (high << 4)) - 32);
                int q = at + 32 + 32 * (group / 8) + 16 * (group % 2);
                int shift = 2 * (group / 2 % 4);
                int mask = at + 16 * (group % 2);
                int bit = group / 2;
                int o = K * b + 16 * group;
                for (int j = 0; j < 16; j++) {
                    int four = (~in[mask + j] >> bit & 1) << 2;
                    out[o + j] = scale * ((in[q + j] >> shift & 3) - four);
                }
            }
        }
    }

    /**
     * {@code d, dmin, scales[12], q[128]}: 8 groups of 32, see {@link #scale6}; each 32 bytes of q hold two groups, low
     * nibbles and high nibbles; x = d scale q - dmin minimum.
     */
    private static void q4_k(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0; b < blocks; b++, at += 144) {
            float d = half(in, at);
            float dmin = half(in, at + 2);
            for (int group = 0; group < 8; group++) {
                float scale = d * scale6(in, at + 4, group);
                float minimum = dmin * minimum6(in, at + 4, group);
                int q = at + 16 + 32 * (group / 2);
                int shift = 4 * (group % 2);
                int o = K * b + 32 * group;
                for (int j = 0; j < 32; j++) {
                    out[o + j] = scale * (in[q + j] >> shift & 15) - minimum;
                }
            }
        }
    }

    /** {@code d, dmin, scales[12], high[32], q[128]}: as Q4_K, bit i of byte l of {@code high} is group i's fifth bit. */
    private static void q5_k(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0; b < blocks; b++, at += 176) {
            float d = half(in, at);
            float dmin = half(in, at + 2);
            for (int group = 0; group < 8; group++) {
                float scale = d * scale6(in, at + 4, group);
                float minimum = dmin * minimum6(in, at + 4, group);
                int high = at + 16;
                int q = at + 48 + 32 * (group / 2);
                int shift = 4 * (group % 2);
                int o = K * b + 32 * group;
                for (int j = 0; j < 32; j++) {
                    int fifth = (in[high + j] >> group & 1) << 4;
                    out[o + j] = scale * ((in[q + j] >> shift & 15) | fifth) - minimum;
                }
            }
        }
    }

    /**
     * {@code low[128], high[64], scales[16] signed, d}: 16 groups of 16; byte l of each 64 of {@code low} holds elements l
     * and 64 + l, byte l of each 32 of {@code high} elements l, 32 + l, 64 + l, 96 + l; x = d scale (q - 32).
     */
    private static void q6_k(byte[] in, int blocks, float[] out) {
        for (int b = 0, at = 0; b < blocks; b++, at += 210) {
            float d = half(in, at + 208);
            for (int group = 0; group < 16; group++) {
                float scale = d * in[at + 192 + group];
                int low = at + 64 * (group / 8) + 16 * (group % 4);
                int lowShift = 4 * (group / 4 % 2);
                int high = at + 128 + 32 * (group / 8) + 16 * (group % 2);
                int highShift = 2 * (group / 2 % 4);
                int o = K * b + 16 * group;
                for (int j = 0; j < 16; j++) {
                    int q = (in[low + j] >> lowShift & 15) | ((in[high + j] >> highShift & 3) << 4);
                    out[o + j] = scale * (q - 32);
                }
            }
        }
    }

    /** Scale of group 0..7 among 12 bytes: 6 low bits of bytes 0..3; then low nibbles of 8..11 and top bits of 0..3. */
    private static int scale6(byte[] in, int at, int group) {
        return group < 4 ? in[at + group] & 63 : (in[at + 4 + group] & 15) | (in[at + group - 4] >> 2 & 0x30);
    }

    /** Minimum of group 0..7 among 12 bytes: 6 low bits of bytes 4..7; then high nibbles of 8..11, top bits of 4..7. */
    private static int minimum6(byte[] in, int at, int group) {
        return group < 4 ? in[at + 4 + group] & 63 : (in[at + 4 + group] >> 4 & 15) | (in[at + group] >> 2 & 0x30);
    }
}
