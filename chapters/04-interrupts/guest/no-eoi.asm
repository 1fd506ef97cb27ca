; The same with a bug: the handler never says that the interrupt has ended.
%define FORGETS_END_OF_INTERRUPT
%include "ticks.inc"
