; Which of the sixteen conditions hold after a comparison? The guest writes the conditional jump itself:
; opcode 0x70 plus the condition's number, so the same two bytes are sixteen instructions in turn.
bits 16
cpu 386
org 0x7c00

SERIAL      equ 0x3f8

        cli
        cld
        xor  ax, ax
        mov  ds, ax
        mov  es, ax
        mov  ss, ax
        mov  sp, 0x7c00
        mov  dx, SERIAL
        mov  si, head
        mov  cx, head_end - head
        rep  outsb

        mov  bp, pairs
pair:   mov  ax, [bp]           ; AL and AH are compared
        call hex
        mov  al, ' '
        out  dx, al
        mov  al, ah
        call hex
        mov  bl, 0x70           ; JO
condition:
        mov  [jump], bl
        mov  cl, 'x'
        mov  ax, [bp]
        cmp  al, ah
jump:   jo   holds              ; its first byte is written above
        mov  cl, '.'
holds:  mov  al, ' '
        out  dx, al
        out  dx, al
        out  dx, al
        mov  al, cl
        out  dx, al
        inc  bl
        cmp  bl, 0x80
        jb   condition
        mov  al, 10
        out  dx, al
        add  bp, 2
        cmp  bp, pairs_end
        jb   pair
        hlt

hex:    push ax                 ; AL as two digits
        shr  al, 4
        call .digit
        pop  ax
        push ax
        and  al, 15
        call .digit
        pop  ax
        ret
.digit: add  al, '0'
        cmp  al, '9'
        jbe  .out
        add  al, 'a' - '9' - 1
.out:   out  dx, al
        ret

head:   db   "al ah   o  no   b  nb   z  nz  be nbe   s  ns   p  np   l  nl  le nle", 10
head_end:
pairs:  db   1, 2,  2, 2,  2, 1,  0xff, 1,  0x80, 1,  0x7f, 0xff
pairs_end:

        times 510 - ($ - $$) db 0
        dw   0xaa55
