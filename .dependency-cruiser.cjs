/**
 * Who may import what. Every rule is tried by a planted violation in scripts/lib/dependency-rules.test.mjs, so a rule
 * that stops working is noticed. Paths are regular expressions from the source folder. ARCHITECTURE.md holds the same as
 * a table for people; scripts/lib/architecture.test.mjs compares the two.
 */
const TFJS = '(node_modules/|^)@tensorflow/tfjs(-core|-layers|-data|-converter)?(/|$)'
const TFJS_NODE = '(node_modules/|^)@tensorflow/tfjs-node'
const COMPOSITION = ['^src/main/cli\\.ts$', '^src/main/cli/', '^src/main/golden/', '^src/main/demo/', '^src/main/eval/', '^src/main/bench/']
const TEST = '\\.test\\.tsx?$'

/** Nothing in `from` may import our own files outside `allowed`. */
function layer(name, comment, from, allowed) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from, pathNot: TEST },
    to: { path: '^src/', pathNot: allowed },
  }
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'Files that import each other cannot be understood one at a time.', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'resolvable', comment: 'Every import must lead somewhere.', severity: 'error', from: { pathNot: TEST }, to: { couldNotResolve: true } },

    layer('shared-is-alone', 'src/shared runs in every process: plain data and pure functions.', '^src/shared/', ['^src/shared/']),
    {
      name: 'shared-packages',
      comment: 'src/shared uses nothing but zod, the contract builder and the formatter of messages.',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: TEST },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'], pathNot: ['(node_modules/|^)zod(/|$)', '(node_modules/|^)@orpc/contract(/|$)', '(node_modules/|^)intl-messageformat(/|$)'] },
    },

    layer('model-uses-shared', 'The model knows shared data and nothing of files, runs or screens.', '^src/main/model/', ['^src/main/model/', '^src/shared/']),
    {
      name: 'tfjs-types-only',
      comment: 'TensorFlow comes from one holder, so that no file picks a backend by itself.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main/model/tf\\.ts$', '^src/main/compute/backend\\.ts$'] },
      to: { path: TFJS, dependencyTypesNot: ['type-only'] },
    },
    layer('train-uses-model', 'Training knows the model, and reads images and checkpoints.', '^src/main/train/', ['^src/main/train/', '^src/main/model/', '^src/main/images/', '^src/main/checkpoints/', '^src/shared/']),
    layer(
      'compute-uses-train',
      'A compute process reads files named to it; it never sees the database or the engine.',
      '^src/main/compute/',
      ['^src/main/compute/', '^src/main/train/', '^src/main/model/', '^src/main/checkpoints/', '^src/main/images/', '^src/shared/'],
    ),
    layer('checkpoints-use-shared', 'Checkpoint formats know shared data only.', '^src/main/checkpoints/', ['^src/main/checkpoints/', '^src/shared/']),
    layer('store-uses-shared', 'The store knows shared data only.', '^src/main/store/', ['^src/main/store/', '^src/shared/']),
    layer('formats-use-shared', 'Annotation formats know shared data, how to look at an image file, and the pickles that some of them are.', '^src/main/formats/', ['^src/main/formats/', '^src/main/images/', '^src/main/checkpoints/pickle(-writer)?\\.ts$', '^src/shared/']),
    layer('images-use-shared', 'Image decoding knows shared data only.', '^src/main/images/', ['^src/main/images/', '^src/shared/']),
    layer(
      'features-reach',
      'A feature uses store, formats and images, and asks compute processes by their protocol; the computing itself is in another process.',
      '^src/main/features/',
      [
        ...['^src/main/features/', '^src/main/store/', '^src/main/formats/', '^src/main/images/', '^src/shared/'],
        ...['^src/main/compute/protocol\\.ts$', '^src/main/engine/context\\.ts$'],
        // Files of runs and checkpoints, and what a run's settings mean: no TensorFlow is needed for these.
        '^src/main/train/(presets|run-folder|run-events|model-files|files|curriculum)\\.ts$',
        '^src/main/model/(freeze|memory)\\.ts$',
      ],
    ),
    layer(
      'engine-reaches',
      'The engine puts features, store and the client of compute together; training and the model are in other processes.',
      '^src/main/engine/',
      ['^src/main/engine/', '^src/main/features/', '^src/main/store/', '^src/main/images/', '^src/main/demo/generate\\.ts$', '^src/main/compute/client\\.ts$', '^src/shared/'],
    ),
    layer(
      'demo-reaches',
      'The demo draws scenes and trains in a folder of its own; it needs no project.',
      '^src/main/demo/',
      ['^src/main/demo/', '^src/main/train/', '^src/main/model/', '^src/main/compute/(backend|client|protocol)\\.ts$', '^src/shared/'],
    ),
    layer(
      'eval-reaches',
      'Protocols of evaluation run the model on files, and on views of a project by what the store and the engine give.',
      '^src/main/eval/',
      ['^src/main/eval/', '^src/main/train/', '^src/main/model/', '^src/main/checkpoints/', '^src/main/images/', '^src/main/formats/', '^src/main/store/', '^src/main/compute/backend\\.ts$', '^src/main/engine/engine\\.ts$', '^src/shared/'],
    ),
    layer(
      'golden-reaches',
      'Golden vectors are compared with the very parts that the program runs; no project is needed.',
      '^src/main/golden/',
      ['^src/main/golden/', '^src/main/eval/', '^src/main/train/', '^src/main/model/', '^src/main/checkpoints/', '^src/main/images/', '^src/main/compute/backend\\.ts$', '^src/shared/'],
    ),
    layer('bench-reaches', 'Benches run the model with random weights, and the engine on projects made of figures; no files of a person.', '^src/main/bench/', ['^src/main/bench/', '^src/main/train/', '^src/main/model/', '^src/main/store/', '^src/main/engine/engine\\.ts$', '^src/shared/']),
    layer('runtime-reaches', 'The doctor looks at the machine and loads TensorFlow, nothing else.', '^src/main/runtime/', ['^src/main/runtime/', '^src/main/compute/(backend|protocol)\\.ts$', '^src/shared/']),
    layer('shell-is-thin', 'The shell starts the engine as another process and knows nothing of its code.', '^src/main/(index\\.ts$|electron/)', ['^src/main/electron/', '^src/shared/']),
    layer('main-leaves-the-page', 'What runs in Node never imports the page or the preload script; the command line knows no shell.', '^src/main/(?!index\\.ts$|electron/)', ['^src/main/(?!index\\.ts$|electron/)', '^src/shared/']),
    {
      name: 'features-stay-apart',
      comment: 'A feature never imports another feature; what both need lies in the store or in shared.',
      severity: 'error',
      from: { path: '^src/main/features/([^/]+)/', pathNot: TEST },
      to: { path: '^src/main/features/[^/]+/', pathNot: '^src/main/features/$1/' },
    },
    layer('renderer-uses-shared', 'The page knows the contract and addresses, never the engine.', '^src/renderer/', ['^src/renderer/', '^src/shared/']),
    {
      name: 'canvas-is-plain',
      comment: 'The canvas takes props and gives diffs: neither the page\'s state nor calls. A vanilla store of its own is fine.',
      severity: 'error',
      from: { path: '^src/renderer/canvas/', pathNot: TEST },
      to: { path: ['^src/renderer/(state|views|app)/', '^src/shared/contract/', '(node_modules/|^)(@orpc|@tanstack/react-query)(/|$)', '(node_modules/|^)zustand/(esm/)?(index|react)\\.'] },
    },
    layer('preload-is-small', 'The preload script hands over, it does not know the engine.', '^src/preload/', ['^src/preload/', '^src/shared/', '^src/main/electron/channels\\.ts$']),
    {
      name: 'roots-are-not-imported',
      comment: 'The command line, golden, demo, evaluation and benches put parts together; only they may start each other. The engine makes the demo.',
      severity: 'error',
      from: { path: '^src/', pathNot: [...COMPOSITION, TEST, '^src/main/engine/demo\\.ts$'] },
      to: { path: COMPOSITION, dependencyTypesNot: ['type-only'] },
    },

    {
      name: 'one-database-file',
      comment: 'better-sqlite3 is seen by src/main/store/db.ts alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main/store/db\\.ts$'] },
      to: { path: '(node_modules/|^)(@types/)?better-sqlite3(/|$)' },
    },
    {
      name: 'one-backend-file',
      comment: 'tfjs-node is seen by src/main/compute/backend.ts alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main/compute/backend\\.ts$'] },
      to: { path: TFJS_NODE },
    },
    {
      name: 'electron-in-the-shell',
      comment: 'Only the shell and the preload script know Electron; the engine runs without it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main/index\\.ts$', '^src/main/electron/', '^src/preload/'] },
      to: { path: '(node_modules/|^)electron(/|$)' },
    },
    {
      name: 'no-tests-in-the-product',
      comment: 'Test code and development packages do not reach what people run.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: [TEST, '^test/', '(node_modules/|^)(vitest|fast-check|playwright-core)(/|$)'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'], extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json', '.css'] },
    tsConfig: { fileName: 'tsconfig.node.json' },
  },
}
