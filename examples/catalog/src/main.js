import { handle } from "./app.js";
import { serve } from "./serve.js";

serve(handle, Number(process.env.PORT ?? 8080));
