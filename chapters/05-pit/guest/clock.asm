; Counts timer interrupts, a hundred a second, and prints a line for each of three seconds.
bits 16
org 0x1000

PIC         equ 0x20            ; the master: 0x20 and 0x21
COUNTER_0   equ 0x40
CONTROL     equ 0x43
CONSOLE     equ 0xe9
VECTOR      equ 0x20            ; of IRQ 0
DIVISOR     equ 11932           ; 1,193,182 Hz / 100

        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x1000
        mov  word [VECTOR * 4], tick
        mov  [VECTOR * 4 + 2], ax

        mov  al, 0x13           ; ICW1: one controller, ICW4 follows
        out  PIC, al
        mov  al, VECTOR         ; ICW2
        out  PIC + 1, al
        mov  al, 0x01           ; ICW4: 8086 mode
        out  PIC + 1, al
        mov  al, 0xfe           ; OCW1: all masked but IRQ 0
        out  PIC + 1, al

        mov  al, 0x34           ; counter 0, both bytes, mode 2
        out  CONTROL, al
        mov  al, DIVISOR & 0xff
        out  COUNTER_0, al
        mov  al, DIVISOR >> 8
        out  COUNTER_0, al
        sti

second: mov  word [ticks], 100
sleep:  hlt                     ; until the next interrupt
        cmp  word [ticks], 0
        jne  sleep
        mov  si, text
        mov  cx, text_end - text
        mov  dx, CONSOLE
        cld
        rep  outsb
        inc  byte [digit]
        cmp  byte [digit], '4'
        jb   second
        cli
        hlt                     ; interrupts are off: this ends it

tick:   push ax
        dec  word [ticks]
        mov  al, 0x20           ; end of interrupt
        out  PIC, al
        pop  ax
        iret

text:   db   "second "
digit:  db   "1: 100 ticks", 10
text_end:
ticks:  dw   0
