#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

/* The words of the command line that the loader hands over. */
void options_are(const char *line);
/* Whether a word stands there. */
bool has_option(const char *word);
/* What stands behind the last word that begins with `start`, to the end of the line; NULL if none does. */
const char *option(const char *start);

#endif
