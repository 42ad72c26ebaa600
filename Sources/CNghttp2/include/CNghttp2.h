#ifndef WEIR_CNGHTTP2_H
#define WEIR_CNGHTTP2_H

#include <nghttp2/nghttp2.h>

#endif
