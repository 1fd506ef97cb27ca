; A boot sector: what a BIOS reads from the first 512 bytes of a disk, puts at 0x7c00 and jumps to.
; It computes Fibonacci numbers and primes, turns a string round, and shows the flags that sums leave.
bits 16
cpu 386
org 0x7c00

SERIAL      equ 0x3f8
SIEVE       equ 0x8000          ; a byte for each number: not 0 where it has a divisor
END         equ 100             ; the first number that is not sieved
TURNED      equ 0x8100

%macro string 2+                ; its length, then its bytes
%1:     db   %%end - %1 - 1
        db   %2
%%end:
%endmacro

        cli
        cld
        xor  ax, ax
        mov  ds, ax
        mov  es, ax
        mov  ss, ax
        mov  sp, 0x7c00         ; the stack grows down from the code
        mov  dx, SERIAL

        mov  si, hello
        call print

        mov  si, fibonacci      ; AX and BX are neighbours, until their sum no longer fits: CF
        call print
        xor  ax, ax
        mov  bx, 1
.next:  call decimal
        xchg ax, bx
        add  bx, ax
        jnc  .next
        call decimal

        mov  si, primes         ; strike out the multiples of each number that is not struck out
        call print
        mov  di, SIEVE
        mov  cx, END
        xor  al, al
        rep  stosb
        mov  bx, 2
.number:
        cmp  byte [SIEVE + bx], 0
        jne  .struck
        mov  ax, bx
        call decimal
        mov  di, bx
.strike:
        mov  byte [SIEVE + di], 1
        add  di, bx
        cmp  di, END
        jb   .strike
.struck:
        inc  bx
        cmp  bx, END
        jb   .number

        mov  si, turn           ; LODSB goes up and STOSB down: DF changes between them
        call print
        mov  si, hello + 1
        movzx cx, byte [hello]
        dec  cx                 ; the line feed stays where it is
        mov  bx, cx
        mov  di, TURNED - 1
        add  di, cx
.turn:  cld
        lodsb
        std
        stosb
        loop .turn
        cld
        mov  si, TURNED
        mov  cx, bx
        rep  outsb

        mov  bp, sums           ; [BP] is in the stack segment, which is the data segment here
.sum:   mov  si, line
        call print
        mov  ax, [bp]
        call hex
        mov  si, plus
        call print
        mov  ax, [bp + 2]
        call hex
        mov  si, equals
        call print
        mov  ax, [bp]
        add  ax, [bp + 2]
        pushf
        call hex
        pop  bx
        mov  si, flags
.flag:  lodsw                   ; AL the bit's number in FLAGS, AH its letter
        mov  cl, al
        mov  al, ah
        bt   bx, cx
        jc   .set
        mov  al, '.'
.set:   out  dx, al
        cmp  si, flags_end
        jb   .flag
        add  bp, 4
        cmp  bp, sums_end
        jb   .sum

        mov  al, 10
        out  dx, al
        hlt

print:  movzx cx, byte [si]     ; the string at DS:SI
        inc  si
        rep  outsb
        ret

decimal:                        ; AX and a space; digits come out last first, and wait on the stack
        pusha
        mov  di, dx
        mov  bx, 10
        xor  cx, cx
.divide:
        xor  dx, dx
        div  bx
        push dx
        inc  cx
        test ax, ax
        jnz  .divide
        mov  dx, di
.digit: pop  ax
        add  al, '0'
        out  dx, al
        loop .digit
        mov  al, ' '
        out  dx, al
        popa
        ret

hex:    mov  cx, 4              ; AX as four digits and a space
.digit: rol  ax, 4
        push ax
        and  al, 15
        add  al, '0'
        cmp  al, '9'
        jbe  .out
        add  al, 'a' - '9' - 1
.out:   out  dx, al
        pop  ax
        loop .digit
        mov  al, ' '
        out  dx, al
        ret

        string hello, "Hello from sector 0!", 10
        string fibonacci, "fib    "
        string primes, 10, "primes "
        string turn, 10, "turned "
        string line, 10
        string plus, "+ "
        string equals, "= "

sums:   dw   1, 2, 0x7fff, 1, 0xffff, 1, 0x8000, 0x8000
sums_end:
flags:  db   11, 'O', 7, 'S', 6, 'Z', 4, 'A', 2, 'P', 0, 'C'
flags_end:

        times 510 - ($ - $$) db 0
        dw   0xaa55             ; 55 AA: "this sector can be booted"
