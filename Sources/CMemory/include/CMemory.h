#ifndef CMEMORY_H
#define CMEMORY_H

/// Has the C library keep freed memory of up to `kept` bytes at the end of each heap, and take blocks below `mapped` bytes
/// from its heaps.
///
/// Does nothing where the user has chosen, or the C library is not glibc, whose header Swift does not see.
void cortex_keep_freed_memory(int kept, int mapped);

#endif
