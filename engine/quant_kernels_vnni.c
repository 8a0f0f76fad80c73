/*
 * quant_kernels_vnni.c - the integer kernels for AVX-512 with VNNI: two products and their sum in one instruction.
 */
#include "engine/quant_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2")))
#define KERNEL_SET quant_kernels_vnni
#define KERNEL_NAME "AVX-512 VNNI"
#define MULTIPLY_ADD(sum, a, b) ((vint)_mm512_dpwssd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))

#include "engine/quant_kernels_512.h"
#include "engine/quant_kernels_impl.h"
#endif
