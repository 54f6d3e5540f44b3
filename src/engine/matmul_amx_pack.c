/* Weights and rows as tiles. See matmul_amx_pack.h. */
#include "engine/matmul_amx_pack.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <string.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl")))

/* Rows and columns of 16 x 16 numbers of 32 bits change places: pairs, then fours, then halves of halves. */
WIDE static inline __attribute__((always_inline)) void transpose(__m512i r[16])
{
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + 2 + j]);
            r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + 2 + j]);
        }
    for (int i = 0; i < 16; i += 8)
        for (int j = 0; j < 4; j++) {
            t[i + j] = _mm512_shuffle_i32x4(r[i + j], r[i + 4 + j], 0x88);
            t[i + 4 + j] = _mm512_shuffle_i32x4(r[i + j], r[i + 4 + j], 0xdd);
        }
    for (int j = 0; j < 8; j++) {
        r[j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0x88);
        r[8 + j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0xdd);
    }
}

WIDE void sg_amx_pack_panel(char *panel, const uint16_t *w, int first, int n, int k)
{
    for (int s = 0; s < ceil_div(k, DEPTH); s++)
        for (int half = 0; half < 2; half++) {
            int from = s * DEPTH, left = k - from < DEPTH ? k - from : DEPTH;
            __mmask32 there = (__mmask32)(UINT32_MAX >> (DEPTH - left));
            char *tile = panel + (size_t)s * STEP_BYTES + (size_t)half * TILE_BYTES;
            __m512i rows[16];
            for (int c = 0; c < 16; c++) {
                int column = first + half * 16 + c;
                rows[c] = column < n ? _mm512_maskz_loadu_epi16(there, w + (size_t)column * (size_t)k + from)
                                     : _mm512_setzero_si512();
            }
            transpose(rows);
            for (int r = 0; r < 16; r++)
                _mm512_store_si512(tile + r * 64, rows[r]);
        }
}

WIDE void sg_amx_pack_panel_kn(char *panel, const uint16_t *b, int first, int n, int k)
{
    int columns = n - first < PANEL ? n - first : PANEL;
    __mmask32 there = (__mmask32)(UINT32_MAX >> (PANEL - columns));
    uint16_t order[PANEL];
    for (int i = 0; i < PANEL; i++) /* of two rows: 0 of each, 1 of each ... */
        order[i] = (uint16_t)(i / 2 + i % 2 * PANEL);
    __m512i low = _mm512_loadu_si512(order), high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
    for (int r = 0; r < ceil_div(k, DEPTH) * 16; r++) {
        const uint16_t *at = b + (size_t)(2 * r) * (size_t)n + first;
        __m512i even = 2 * r < k ? _mm512_maskz_loadu_epi16(there, at) : _mm512_setzero_si512(),
                odd = 2 * r + 1 < k ? _mm512_maskz_loadu_epi16(there, at + n) : _mm512_setzero_si512();
        char *row = panel + (size_t)(r / 16) * STEP_BYTES + (size_t)(r % 16) * 64;
        _mm512_store_si512(row, _mm512_permutex2var_epi16(even, low, odd));
        _mm512_store_si512(row + TILE_BYTES, _mm512_permutex2var_epi16(even, high, odd));
    }
}

void sg_amx_pack_unit(char *tiles, const uint16_t *x, int m, int k, int from, int steps)
{
    int whole = (k - from) / DEPTH < steps ? (k - from) / DEPTH : steps;
    for (int r = 0; r < UNIT; r++) {
        char *to = tiles + (size_t)(r / 16) * TILE_BYTES + (size_t)(r % 16) * 64;
        const uint16_t *row = x + (size_t)r * (size_t)k + from;
        for (int s = 0; s < steps; s++, to += STEP_BYTES)
            if (r < m && s < whole) {
                memcpy(to, row + s * DEPTH, 64);
            } else {
                memset(to, 0, 64);
                if (r < m)
                    memcpy(to, row + s * DEPTH, (size_t)(k - from - s * DEPTH) * 2);
            }
    }
}

#endif
