; The Mandelbrot set in 16-bit fixed point: a sign, three bits before the point, twelve behind it.
bits 16
cpu 386
org 0x7c00

SERIAL      equ 0x3f8
FRACTION    equ 12
ONE         equ 1 << FRACTION
COLUMNS     equ 64
ROWS        equ 21
LEFT        equ -2050 * ONE // 1000
TOP         equ -1150 * ONE // 1000
RIGHTWARDS  equ 2700 * ONE // 1000 / COLUMNS
DOWNWARDS   equ 2300 * ONE // 1000 / (ROWS - 1)
MOST        equ 26              ; turns, and shades
LINE        equ 0x8000

%macro square 1                 ; AX = %1 * %1; to .far where that is 4 or more
        mov  ax, %1
        imul %1
        cmp  dx, 4 * ONE * ONE >> 16
        jae  .far
        shrd ax, dx, FRACTION   ; the middle of the 32-bit product
%endmacro

        cli
        cld
        xor  ax, ax
        mov  ds, ax
        mov  es, ax
        mov  ss, ax
        mov  sp, 0x7c00
        mov  word [imaginary_part], TOP

row:    mov  word [real_part], LEFT
        mov  word [place], LINE
column: xor  si, si             ; z = SI + DI i, from 0
        xor  di, di
        xor  cx, cx
.turn:  square si               ; z = z * z + c, until it is far out
        mov  bx, ax
        square di
        mov  bp, ax
        add  ax, bx
        cmp  ax, 4 * ONE
        jae  .far
        mov  ax, si
        imul di
        shrd ax, dx, FRACTION
        add  ax, ax
        add  ax, [imaginary_part]
        mov  di, ax
        mov  si, bx
        sub  si, bp
        add  si, [real_part]
        inc  cx
        cmp  cx, MOST
        jb   .turn
.far:   mov  bx, cx
        mov  al, [shades + bx]
        mov  di, [place]
        stosb
        mov  [place], di
        add  word [real_part], RIGHTWARDS
        cmp  di, LINE + COLUMNS
        jb   column

        mov  al, 10
        stosb
        mov  si, LINE
        mov  cx, COLUMNS + 1
        mov  dx, SERIAL
        rep  outsb
        add  word [imaginary_part], DOWNWARDS
        dec  byte [rows]
        jnz  row
        hlt

shades: db   "     .....::::---===++**%%#"
rows:   db   ROWS
real_part: dw 0
imaginary_part: dw 0
place:  dw   0

        times 510 - ($ - $$) db 0
        dw   0xaa55
