/** The page's beginning: reads the run that the page carries, and shows it. */
import { decodePage, type EncodedPage } from '../encoding.ts';
import { followControls } from './controls.ts';
import { find } from './element.ts';
import { followKeyboard } from './keyboard.ts';
import { followPointer } from './pointer.ts';
import { prepareRun } from './run.ts';
import { Stage } from './stage.ts';

const page = JSON.parse(find('run').textContent ?? '') as EncodedPage;
const stage = new Stage(prepareRun(decodePage(page)));
followPointer(stage);
followKeyboard(stage, followControls(stage));
