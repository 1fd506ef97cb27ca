; An oscilloscope for the six modes: counter 2 counts 24 pulses, and the guest samples its OUT.
;
; Every sample is a read of port 0x61, whose bit 5 is OUT. For modes 1 and 5, which wait for a trigger, the
; gate opens a few samples after the start. A sample takes 1,000 ns and a strobe 838, so a strobe may fall
; between two samples; with these numbers none does.
bits 16
org 0x1000

COUNTER_2   equ 0x42
CONTROL     equ 0x43
PORT_B      equ 0x61            ; bit 0: gate of counter 2, bit 5: its OUT
CONSOLE     equ 0xe9
SAMPLES     equ 60              ; a line of text, on most screens
TRIGGER     equ 8               ; the sample before which the gate rises

        xor  ax, ax
        mov  ds, ax
        mov  es, ax
        mov  ss, ax
        mov  sp, 0x1000
        cld
        mov  bl, 0              ; the mode

mode:   mov  al, 0
        out  PORT_B, al         ; gate shut
        mov  al, bl
        shl  al, 1
        or   al, 0b1001_0000    ; counter 2, LSB only
        out  CONTROL, al
        mov  al, 24
        out  COUNTER_2, al

        mov  di, line
        mov  cx, SAMPLES
sample: cmp  cx, SAMPLES - TRIGGER
        jne  .take
        mov  al, 1
        out  PORT_B, al         ; gate open: a rising edge
.take:  in   al, PORT_B
        test al, 0b0010_0000
        mov  al, '_'
        jz   .store
        mov  al, '#'
.store: stosb
        loop sample

        mov  al, bl
        add  al, '0'
        mov  [digit], al
        mov  si, text
        mov  cx, text_end - text
        mov  dx, CONSOLE
        rep  outsb
        inc  bl
        cmp  bl, 6
        jb   mode
        cli
        hlt

text:   db   "mode "
digit:  db   "0  "
line:   times SAMPLES db ' '
        db   10
text_end:
