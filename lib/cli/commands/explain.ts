import { explainOption, OPTION_KEYS } from '../../flink/options/catalogue.ts';
