; Asks who has 10.0.2.2, sleeps until the answer comes, and tells it.
%include "real.inc"
%include "virtio.inc"
%include "frames.inc"

main:   mov  ebx, F_MAC
        call open_device
        call resolve
        mov  si, peer_ip
        call put_ip
        say  " is at "
        mov  si, peer_mac
        call put_mac
        say  10
        mov  ax, [interrupts]
        mov  bl, 1
        call put_number
        say  " interrupts: one for the question that was sent, one for the answer", 10
        cli
        hlt
