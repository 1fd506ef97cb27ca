import { expectVectorsMet } from "./vectors-met.ts";

expectVectorsMet("x87");
