// The functions are libnghttp2's own; a C target must have a source.
#include "CNghttp2.h"
