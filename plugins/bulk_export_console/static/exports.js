import { watchDags } from "./dags.js";

watchDags();
