#ifndef LINE_H
#define LINE_H

#define LONGEST_LINE 63

/* Reads a line and lets it be edited: backspace, Ctrl-U, Ctrl-C, and arrow up and down for earlier lines. */
void read_line(char line[LONGEST_LINE + 1]);

#endif
