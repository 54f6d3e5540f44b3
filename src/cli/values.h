/* Values of options, read the same way in every locale. All return false, *out untouched, for anything malformed. */
#ifndef SG_CLI_VALUES_H
#define SG_CLI_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool parse_count(const char *s, int64_t *out); /* decimal digits, 1 to 2^31 - 1 */
/* "4k", "512M", "5G", "2T" are powers of 1000, "1.5GiB" of 1024; a B may follow; a plain number is bytes. Not 0. */
bool parse_size(const char *s, uint64_t *out);
/* "0.8", "25": digits, a point, an exponent; not negative. */
bool parse_decimal(const char *s, double *out);
bool parse_choice(const char *s, const char *const *words, int *out); /* its place among words, which end with NULL */

#endif
