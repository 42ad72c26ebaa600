#include "CCurl.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

void weir_map_large_blocks(size_t smallest) {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, (int)smallest);
#else
    (void)smallest;
#endif
}
