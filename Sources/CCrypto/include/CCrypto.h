#ifndef WEIR_CCRYPTO_H
#define WEIR_CCRYPTO_H

#include <stddef.h>

/// The bytes of a hash.
#define WEIR_SHA256_LENGTH 32

/// Puts the SHA-256 of `length` bytes into `hash`.
void weir_sha256(const unsigned char *bytes, size_t length, unsigned char *hash);

#endif
