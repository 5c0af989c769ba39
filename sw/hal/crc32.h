// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace ohmac {

/// CRC-32 of IEEE 802.3, as zlib's crc32(): crc32("123456789") = 0xCBF43926. To go on over a second part pass the
/// result so far.
uint32_t crc32(const void* data, size_t bytes, uint32_t crc = 0);

}  // namespace ohmac
