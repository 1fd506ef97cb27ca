; Sleeps until the timer interrupts, five times.
%include "ticks.inc"
