/* The command line: words with spaces between. The first one is the image's name. */
#include "options.h"

#include <stddef.h>

#include "text.h"

static const char *options = "";

void options_are(const char *line) {
  options = line;
}

const char *option(const char *start) {
  const char *found = NULL;
  for (const char *at = options; *at; at++) {
    if (at > options && at[-1] != ' ') continue;
    const char *rest = after(at, start);
    if (rest) found = rest;
  }
  return found;
}

bool has_option(const char *word) {
  const char *rest = option(word);
  return rest && (*rest == ' ' || !*rest);
}
