/* Takes batches apart, which docs/wire.md describes. */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static uint32_t number(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return ntohl(value);
}

/* Goes through the lines of a batch and adds up their bytes; returns how many there are, 0 if it is no batch. */
static long long lines_of_batch(const unsigned char *bytes, size_t size, long long *sum) {
    if (size < 12 || memcmp(bytes, "\nLBA\1\0\0", 8) != 0) return 0;
    long long lines = 0;
    for (size_t place = 12; place + 4 <= size; lines++) {
        uint32_t length = number(bytes + place);
        *sum += length;
        place += 4 + length;
    }
    return lines == number(bytes + 8) ? lines : 0;
}
