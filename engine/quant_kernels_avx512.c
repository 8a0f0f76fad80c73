/*
 * quant_kernels_avx512.c - the integer kernels for AVX-512 (F, DQ, BW, VL).
 */
#include "engine/quant_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2")))
#define KERNEL_SET quant_kernels_avx512
#define KERNEL_NAME "AVX-512"
#define MULTIPLY_ADD(sum, a, b) ((vint)_mm512_add_epi32((__m512i)(sum), _mm512_madd_epi16((__m512i)(a), (__m512i)(b))))

#include "engine/quant_kernels_512.h"
#include "engine/quant_kernels_impl.h"
#endif
