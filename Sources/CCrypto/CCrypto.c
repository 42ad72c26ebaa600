#include "CCrypto.h"

#include <openssl/sha.h>

void weir_sha256(const unsigned char *bytes, size_t length, unsigned char *hash) { SHA256(bytes, length, hash); }
