/* The whole table, for options.c; everyone else goes through options_row. */
#ifndef SG_CLI_OPTION_TABLE_H
#define SG_CLI_OPTION_TABLE_H

#include "options.h"

extern const option_row option_rows[];
extern const size_t n_option_rows; /* at most MAX_OPTION_ROWS */

#endif
