/** The worker of a machine that is the reference's through and through. */
import { serveMachine } from "./serve-machine.ts";

serveMachine();
