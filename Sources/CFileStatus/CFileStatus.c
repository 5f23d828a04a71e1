#include "CFileStatus.h"

#include <sys/stat.h>

static int take(int result, const struct stat *found, struct cortex_file_status *status) {
    if (result != 0) {
        return -1;
    }
#ifdef __APPLE__
    const struct timespec changed = found->st_mtimespec;
#else
    const struct timespec changed = found->st_mtim;
#endif
    *status = (struct cortex_file_status){
        .device = (uint64_t)found->st_dev,
        .inode = (uint64_t)found->st_ino,
        .links = (uint64_t)found->st_nlink,
        .mode = found->st_mode,
        .size = (int64_t)found->st_size,
        .blocks = (int64_t)found->st_blocks,
        .seconds = (int64_t)changed.tv_sec,
        .nanoseconds = (int64_t)changed.tv_nsec,
    };
    return 0;
}

int cortex_stat(const char *path, struct cortex_file_status *status) {
    struct stat found;
    return take(stat(path, &found), &found, status);
}

int cortex_lstat(const char *path, struct cortex_file_status *status) {
    struct stat found;
    return take(lstat(path, &found), &found, status);
}

int cortex_fstat(int descriptor, struct cortex_file_status *status) {
    struct stat found;
    return take(fstat(descriptor, &found), &found, status);
}
