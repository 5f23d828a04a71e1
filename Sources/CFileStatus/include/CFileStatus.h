#ifndef CFILESTATUS_H
#define CFILESTATUS_H

#include <stdint.h>
#include <sys/types.h>

// `struct stat` is declared in more than one module that Swift sees (Glibc's and libdispatch's), and which of them the
// compiler holds to be its owner, and so whether its fields may be used, goes by the order in which a target's files import
// them. This one has one owner.

/// What a file is, as `stat` tells.
struct __attribute__((swift_name("FileStatus"))) cortex_file_status {
    uint64_t device;
    uint64_t inode;
    uint64_t links;
    mode_t mode;
    /// Bytes.
    int64_t size;
    /// Units of 512 bytes, whatever the file system's own.
    int64_t blocks;
    /// Unix time of the last change of content.
    int64_t seconds;
    int64_t nanoseconds;
};

/// Each returns 0, or -1 with `errno` set. This one is of what lies behind links.
int cortex_stat(const char *path, struct cortex_file_status *status);
/// Of the link itself.
int cortex_lstat(const char *path, struct cortex_file_status *status);
/// Of an open file.
int cortex_fstat(int descriptor, struct cortex_file_status *status);

#endif
